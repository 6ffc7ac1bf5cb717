// @ts-check
// Logging in and out, the same on each page of those on duty. Where a login proxy stands before it, both are the proxy's.
import { el, login, page, perform } from './felles.js';
import { refreshWith, wasRead } from './oppfriskning.js';

/**
 * @param {{ readAll: () => Promise<void>, refresh: () => Promise<void>, forget: () => void }} parts what is read when one
 * has logged in, what is read again and again, and how nothing of it is left
 */
export async function begin({ readAll, refresh, forget }) {
  const readAndTell = async () => {
    await readAll();
    wasRead();
  };
  const showLogin = () => {
    Object.assign(login, { token: '', isIn: false });
    el('innlogging').hidden = false;
    el('innloggingsskjema').hidden = login.byProxy;
    el('innlogging-lenke').hidden = !login.byProxy;
    el('drift').hidden = true;
    el('logg-ut').hidden = true;
    for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
    forget();
    (login.byProxy ? el('innlogging-lenke') : el('token')).focus();
  };
  const logIn = async () => {
    login.isIn = true;
    await readAndTell();
    el('innlogging').hidden = true;
    el('drift').hidden = false;
    el('logg-ut').hidden = false;
  };
  el('innloggingsskjema').addEventListener('submit', (event) => {
    event.preventDefault();
    login.token = el('token').value.trim();
    el('token').value = '';
    void perform(logIn);
  });
  el('logg-ut').addEventListener('click', () => {
    if (login.byProxy) location.assign('/drift/oauth2/logout');
    else showLogin();
  });
  Object.assign(page, { readAll: readAndTell, logOut: showLogin });
  refreshWith(refresh);
  const asked = await fetch('/drift/side/innlogging');
  // A proxy refuses by itself when nobody has logged in to it.
  login.byProxy = !asked.ok || (await asked.json()).medProxy;
  if (login.byProxy) void perform(logIn);
  else showLogin();
}
