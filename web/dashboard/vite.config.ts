import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createRequest, formatDocument, stringifyDocument } from '@urql/core';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import * as documents from './src/gql/graphql.ts';

const out = fileURLToPath(new URL('dist/', import.meta.url));

/** The texts of each operation: as written, as urql prints it, and with the type names that its cache needs. */
const operations = () =>
  Object.entries(documents)
    .filter(([name]) => name.endsWith('Document') && !name.endsWith('FragmentDoc'))
    .flatMap(([, document]) => {
      const text = String(document);
      const { query } = createRequest(text, {});
      return [text, stringifyDocument(query), stringifyDocument(formatDocument(query))];
    });

/** The SHA-256 of each query as urql sends it: with the type names that its cache needs. */
const documentHashes = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(documents)
      .filter(([, document]) => String(document).startsWith('\n    query '))
      .map(([name, document]) => {
        const text = stringifyDocument(formatDocument(createRequest(String(document), {}).query));
        return [name.replace(/Document$/, ''), createHash('sha256').update(text).digest('hex')];
      }),
  );

/** Makes the hashes a module, `virtual:document-hashes`: browsers hash only on secure origins. */
const hashesModule = (): Plugin => ({
  name: 'document-hashes',
  resolveId: (id) => (id === 'virtual:document-hashes' ? `\0${id}` : undefined),
  load: (id) =>
    id === '\0virtual:document-hashes' ? `export default ${JSON.stringify(documentHashes())};` : undefined,
});

/** Writes what the program embeds: `index.html`, compressed scripts and styles, and the texts of the operations. */
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
    writeFileSync(join(out, 'documents.json'), JSON.stringify(operations()));
  },
});

export default defineConfig(({ command }) => ({
  // The program serves the files at /assets/; Vite's development server does not.
  base: command === 'build' ? '/assets/' : '/',
  plugins: [react(), hashesModule(), forTheProgram()],
  build: {
    target: 'es2022',
    assetsDir: '',
    emptyOutDir: false,
    // The Content-Security-Policy allows no data: URIs for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    port: 4173,
    // API requests go to a running program.
    proxy: {
      '/graphql': { target: process.env['XBOARD'] ?? 'http://127.0.0.1:3001', ws: true },
      '/graphiql': { target: process.env['XBOARD'] ?? 'http://127.0.0.1:3001' },
    },
  },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
}));
