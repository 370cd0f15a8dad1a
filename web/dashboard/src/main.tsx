import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './styles/page.css';
import { App } from './App';
import { begin } from './api/session';
import { applyTheme } from './ui/theme';

applyTheme();
void begin();

const place = document.getElementById('page');
if (!place) throw new Error('there is no #page element');
createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
