// The part of stompjs 2.3.3 that tests use; it brings no types of its own.
declare module 'stompjs' {
  type Headers = Readonly<Record<string, string>>;

  interface Frame {
    readonly command: string;
    readonly headers: Headers;
    readonly body: string;
  }

  interface Message extends Frame {
    ack(headers?: Record<string, string>): void;
    nack(headers?: Record<string, string>): void;
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
    disconnect(then?: () => void, headers?: object): void;
    send(destination: string, headers?: object, body?: string): void;
    subscribe(destination: string, take: (message: Message) => void, headers?: object): Subscription;
    begin(id?: string): Transaction;
  }

  const Stomp: { over(socket: object): Client };
  export default Stomp;
  export type { Client, Frame, Message };
}
