// Light or dark: the system's setting, unless the reader chose one.
import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const STORAGE_KEY = 'xboard.theme';
const listeners = new Set<() => void>();
const dark = matchMedia('(prefers-color-scheme: dark)');

export const theme = (): Theme => {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
};

export const isDark = () => (theme() === 'system' ? dark.matches : theme() === 'dark');

export const applyTheme = () => {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
};
dark.addEventListener('change', applyTheme);

export const chooseTheme = (next: Theme) => {
  if (next === 'system') localStorage.removeItem(STORAGE_KEY);
  else localStorage.setItem(STORAGE_KEY, next);
  applyTheme();
};

const listen = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const useTheme = () => useSyncExternalStore(listen, theme);
export const useIsDark = () => useSyncExternalStore(listen, isDark);
