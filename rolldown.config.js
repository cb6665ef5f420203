// The server in few files: a thread that loads one in place of two hundred starts a third sooner. What is beside a module
// of src (`import.meta.url`) lies beside these files; package.json copies it.
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: { main: 'src/main.ts', thread: 'src/thread.ts', 'actors/kinds': 'src/actors/kinds.ts' },
  platform: 'node',
  // They have compiled parts, or look for files beside their own.
  external: ['better-sqlite3', 'ioredis', 'msgpackr', 'pino', 'piscina', 'uWebSockets.js'],
  output: { dir: 'dist/server', cleanDir: true, chunkFileNames: '[name].js', sourcemap: true },
});
