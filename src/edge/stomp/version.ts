// The words of STOMP 1.0, 1.1 and 1.2 that reader and writer share.

export type StompVersion = '1.0' | '1.1' | '1.2';

export type ServerCommand = 'CONNECTED' | 'MESSAGE' | 'RECEIPT' | 'ERROR';

/** A header as it is handed to the encoder: name and value, not escaped. */
export type Header = readonly [name: string, value: string];
