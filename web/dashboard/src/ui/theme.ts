// Light or dark: as the system has it, unless the reader chose.
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const KEPT = 'xboard.theme';
const listeners = new Set<() => void>();
const dark = matchMedia('(prefers-color-scheme: dark)');

export const theme = (): Theme => {
  const kept = localStorage.getItem(KEPT);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
};

export const isDark = () => (theme() === 'system' ? dark.matches : theme() === 'dark');

export const applyTheme = () => {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
};
dark.addEventListener('change', applyTheme);

export const chooseTheme = (next: Theme) => {
  if (next === 'system') localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, next);
  applyTheme();
};

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const useTheme = () => useSyncExternalStore(listen, theme);
export const useIsDark = () => useSyncExternalStore(listen, isDark);
