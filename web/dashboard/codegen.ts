import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: 'src/api/*.graphql',
  ignoreNoDocuments: false,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        // Amounts are strings, so that they stay exact.
        scalars: { Date: 'string', DateTime: 'string', Decimal: 'string', ID: 'string', Long: 'number' },
        strictScalars: true,
        useTypeImports: true,
        enumsAsTypes: true,
        // Text instead of syntax trees: less to load, and cards show their query as written.
        documentMode: 'string',
      },
    },
  },
};

export default config;
