import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  // Of your own server: `schema: 'http://127.0.0.1:3001/graphql'`.
  schema: '../../schema.graphql',
  documents: 'src/**/*.ts',
  ignoreNoDocuments: false,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // Amounts are strings: parse them as decimals, not as floats.
        scalars: { Date: 'string', DateTime: 'string', Decimal: 'string', ID: 'string', Long: 'number' },
        strictScalars: true,
        useTypeImports: true,
        importExtension: '.js',
        enumsAsTypes: true,
      },
    },
  },
};

export default config;
