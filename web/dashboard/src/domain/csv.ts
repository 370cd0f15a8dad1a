// Comma-separated values, as RFC 4180 has them and spreadsheets read them.

export type Cell = string | number | null;

/** A text that a spreadsheet would take for a formula is marked as text. Numbers stay numbers. */
const harmless = (text: string) =>
  /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;

const cell = (value: Cell) => {
  const text = value === null ? '' : harmless(String(value));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const toCsv = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');

/** Hands a file to the reader. The mark at its beginning tells spreadsheets that it is UTF-8. */
export const download = (name: string, text: string) => {
  const address = URL.createObjectURL(new Blob(['\uFEFF', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};
