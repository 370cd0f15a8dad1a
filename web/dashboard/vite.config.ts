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

/** Each operation as it is sent: as it was written, as the client prints it, and with the type names for its cache. */
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

/**
 * Leaves what the program takes in: `index.html`, each script and style compressed, and the operations, which run
 * where only registered ones do.
 */
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
  // In the program the files are at /assets/; while developing Vite serves them as they are.
  base: command === 'build' ? '/assets/' : '/',
  plugins: [react(), hashesModule(), forTheProgram()],
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
