import type { ReactNode } from 'react';

const icon = (shape: ReactNode) => () => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
    {shape}
  </svg>
);

export const More = icon(
  <g className="solid">
    <circle cx="3" cy="8" r="1.4" />
    <circle cx="8" cy="8" r="1.4" />
    <circle cx="13" cy="8" r="1.4" />
  </g>,
);
export const Calendar = icon(<path d="M2.5 4.5h11v9h-11zM2.5 7.5h11M5.5 2.5v3M10.5 2.5v3" />);
export const Down = icon(<path d="M4 6l4 4 4-4" />);
export const Back = icon(<path d="M10 3.5L5.5 8l4.5 4.5" />);
export const Forth = icon(<path d="M6 3.5L10.5 8 6 12.5" />);
export const Gear = icon(
  <path d="M8 5.7a2.3 2.3 0 100 4.6 2.3 2.3 0 000-4.6zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6L5 5M11 11l1.4 1.4M12.4 3.6L11 5M5 11l-1.4 1.4" />,
);
export const Code = icon(<path d="M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5" />);
export const Save = icon(<path d="M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.5h10" />);
export const Open = icon(<path d="M9.5 2.5h4v4M13.5 2.5L8 8M7 3.5H3v9.5h9.5v-4" />);
export const Again = icon(<path d="M13 8a5 5 0 11-1.6-3.7M13 2v3h-3" />);
