import { describe, expect, it } from 'vitest';
import { codeIn } from '../../src/domain/claim';

describe('a code behind the #', () => {
  it('is taken as it is', () => {
    expect(codeIn('#xbc_0123456789-abcDEF')).toBe('xbc_0123456789-abcDEF');
  });

  it('is none when it is anything else', () => {
    for (const hash of ['', '#', '#short', '#query=%7Bme%7D', `#${'a'.repeat(201)}`]) expect(codeIn(hash)).toBe('');
  });
});
