// @ts-check
import { el } from './felles.js';

/**
 * Asks before something is done that can't be taken back lightly, and says what will happen.
 *
 * @param {{ title: string, happens: string[], action: string, danger?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, happens, action, danger = false }) {
  const dialog = el('spoersmaal');
  el('spoersmaal-tittel').textContent = title;
  el('spoersmaal-tekst').replaceChildren(
    ...happens.map((text) => Object.assign(document.createElement('li'), { textContent: text })),
  );
  el('spoersmaal-ja').textContent = action;
  el('spoersmaal-ja').dataset.color = danger ? 'danger' : 'accent';
  dialog.returnValue = '';
  dialog.showModal();
  // What can't be undone is not what Enter does.
  (danger ? el('spoersmaal-nei') : el('spoersmaal-ja')).focus();
  return new Promise((answer) => {
    dialog.addEventListener('close', () => answer(dialog.returnValue === 'ja'), { once: true });
  });
}

el('spoersmaal-ja')?.addEventListener('click', () => el('spoersmaal').close('ja'));
el('spoersmaal-nei')?.addEventListener('click', () => el('spoersmaal').close('nei'));
