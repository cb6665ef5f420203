// The part of stompjs 2.3.3 that tests use; it brings no types of its own.
declare module 'stompjs' {
  namespace Stomp {
    type Headers = Readonly<Record<string, string>>;

    interface Frame {
      readonly command: string;
      readonly headers: Headers;
      readonly body: string;
    }

    interface Message extends Frame {
      ack(headers?: Headers): void;
      nack(headers?: Headers): void;
    }

    interface Subscription {
      readonly id: string;
      unsubscribe(): void;
    }

    interface Transaction {
      readonly id: string;
      commit(): void;
      abort(): void;
    }

    interface Client {
      readonly connected: boolean;
      readonly heartbeat: { outgoing: number; incoming: number };
      debug: ((line: string) => void) | null;
      onreceipt: (frame: Frame) => void;
      connect(
        headers: object,
        connected: (frame: Frame) => void,
        failed: (error: Frame | string) => void,
      ): void;
      disconnect(then?: () => void, headers?: Headers): void;
      send(destination: string, headers?: Headers, body?: string): void;
      subscribe(destination: string, take: (message: Message) => void, headers?: Headers): Subscription;
      begin(id?: string): Transaction;
    }
  }

  const Stomp: { over(socket: object): Stomp.Client };
  export = Stomp;
}
