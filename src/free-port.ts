// Whether the port to listen on can be had.
import { createServer } from 'node:net';

/**
 * The port to listen on. Edges share one port, so that a second server would share it too, without a word: asking
 * for it alone tells.
 *
 * @param port 0 for any.
 * @throws Error with a message for the operator.
 */
export function freePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new Error(`can't listen on ${host}:${port}: ${why}`));
    });
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === 'object' && address ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}
