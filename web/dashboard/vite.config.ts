import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const out = fileURLToPath(new URL('dist/', import.meta.url));

/** Leaves what the program takes in: `index.html`, and each script and style compressed. */
const forTheProgram = (): Plugin => ({
  name: 'for-the-program',
  apply: 'build',
  buildStart() {
    for (const file of readdirSync(out)) {
      if (file !== '.gitignore') rmSync(join(out, file), { recursive: true });
    }
  },
  closeBundle() {
    for (const file of readdirSync(out)) {
      if (!/\.(js|css)$/.test(file)) continue;
      writeFileSync(join(out, `${file}.gz`), gzipSync(readFileSync(join(out, file)), { level: 9 }));
      rmSync(join(out, file));
    }
  },
});

export default defineConfig(({ command }) => ({
  // In the program the files are at /assets/; while developing Vite serves them as they are.
  base: command === 'build' ? '/assets/' : '/',
  plugins: [react(), forTheProgram()],
  build: {
    target: 'es2022',
    assetsDir: '',
    emptyOutDir: false,
    // A data: URI would be a second source of scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    port: 4173,
    // Everything that is asked goes to a program that runs already.
    proxy: {
      '/graphql': { target: process.env['XBOARD'] ?? 'http://127.0.0.1:3001', ws: true },
      '/graphiql': { target: process.env['XBOARD'] ?? 'http://127.0.0.1:3001' },
    },
  },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
}));
