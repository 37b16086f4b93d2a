import { useEffect, useState } from 'react';

type Theme = 'system' | 'light' | 'dark';
const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const KEY = 'gantry-theme';

/** Goes round: as the system says, light, dark. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>('system');
  useEffect(() => {
    const chosen = localStorage.getItem(KEY);
    if (chosen === 'light' || chosen === 'dark') setTheme(chosen);
  }, []);
  const choose = (next: Theme): void => {
    setTheme(next);
    if (next === 'system') {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEY, next);
      document.documentElement.dataset['theme'] = next;
    }
  };
  return (
    <button className="button bare" type="button" onClick={() => choose(NEXT[theme])} title="Change the theme">
      <svg className="icon" viewBox="0 0 18 18" aria-hidden="true">
        <path d="M9 2.5a6.5 6.5 0 1 0 0 13z" fill="currentColor" />
        <path d="M9 2.5a6.5 6.5 0 0 1 0 13" />
      </svg>
      {theme === 'system' ? 'As the system' : theme === 'light' ? 'Light' : 'Dark'}
    </button>
  );
}
