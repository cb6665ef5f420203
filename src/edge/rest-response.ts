// Answers to requests.
import { httpStatus, type Refusal } from '../errors.ts';

export interface RestResponse {
  readonly status: number;
  readonly body: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonResponse(status: number, value: object): RestResponse {
  return { status, body: Buffer.from(JSON.stringify(value)) };
}

export function refusalResponse({ code, message, detail }: Refusal): RestResponse {
  return jsonResponse(httpStatus[code], { code, message, ...detail });
}
