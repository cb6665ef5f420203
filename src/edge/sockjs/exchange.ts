// One HTTP request and the response to it, whether its socket is here or at another edge.

/** What is looked at of a request; it crosses to the edge that has the session. */
export interface SockjsRequest {
  readonly method: string;
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly address: string;
  /** The token it shows, in its URL or as a bearer; null for none. Nobody has checked it. */
  readonly credential: string | null;
  readonly host: string;
  /** These are empty when there is none. */
  readonly origin: string;
  readonly cookie: string;
  readonly ifNoneMatch: string;
  readonly upgrade: string;
  readonly connection: string;
  /** `Access-Control-Request-Headers` */
  readonly headersAsked: string;
}

export type ResponseHeaders = Readonly<Record<string, string>>;

/** After its end, or after it was aborted, calls have no effect. */
export interface Exchange {
  readonly request: SockjsRequest;
  readonly done: boolean;
  /** Told when the client is gone before the end. */
  onAborted: (() => void) | null;
  /** The whole response. */
  respond(status: number, headers: ResponseHeaders, body?: string | Uint8Array): void;
  /** Starts a response with status 200 that goes on, with its first chunk. */
  start(headers: ResponseHeaders, chunk: Uint8Array): void;
  write(chunk: Uint8Array): void;
  end(): void;
}
