// @ts-check
// Who the token says that one is: the consumer as the service knows it, or else the token's own claims. The token stays
// in Swagger UI, and is sent to this service only.

const WHO = document.getElementById('hvem');

const part = (name, text, className = '') =>
  Object.assign(document.createElement(name), { textContent: text, className });

function line(state, ...parts) {
  const p = document.createElement('p');
  const dot = part('span', '', 'prikk');
  dot.dataset.tilstand = state;
  p.append(dot, ' ', ...parts);
  WHO.replaceChildren(p);
}

/** Not verified: that is for the service. @returns {Record<string, any>} */
function claimsOf(token) {
  try {
    const [, payload = ''] = token.split('.');
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

function showClaims(token) {
  const claims = claimsOf(token);
  const who = claims.NAVident ?? claims.azp_name ?? claims.organisasjon ?? claims.azp;
  if (who === undefined) return line('obs', part('strong', 'This is no token'), ' Paste it whole, without «Bearer».');
  const more = [
    claims.azp && claims.azp !== who ? `client ${claims.azp}` : '',
    Array.isArray(claims.roles) ? claims.roles.join(', ') : '',
    claims.scope ?? claims.scp ?? '',
  ].filter(Boolean);
  const isOver = claims.exp * 1_000 < Date.now();
  return line(
    isOver ? 'feil' : 'bra',
    'Authorised as ',
    part('strong', who),
    part('span', more.join(' · '), 'dempet'),
    part('span', validity(claims.exp), isOver ? 'utloept' : 'dempet'),
  );
}

function validity(seconds) {
  if (!Number.isFinite(seconds)) return '';
  const minutes = Math.round((seconds * 1_000 - Date.now()) / 60_000);
  if (minutes < 0) return 'The token has expired: get a new one';
  return `valid for ${minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} hours`}`;
}

async function showAccess(token) {
  const answer = await fetch('/api/v1/tilgang', { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) {
    const { detail = '' } = await answer.json().catch(() => ({}));
    // A consumer with several purposes must say which: it is who it is all the same.
    if (answer.status === 400) return showClaims(token);
    return line(
      'feil',
      part('strong', answer.status === 401 ? 'The token is not valid here' : 'No access'),
      part('span', detail, 'dempet'),
    );
  }
  const access = await answer.json();
  const name = access.konsument?.navn ?? access.konsument ?? access.navn ?? claimsOf(token).azp;
  const purposes = (access.behandlingsgrunnlag ?? []).map((one) => one.id ?? one);
  return line(
    'bra',
    'Authorised as ',
    part('strong', String(name)),
    part('span', purposes.length > 0 ? `for ${purposes.join(', ')}` : '', 'dempet'),
    part('span', validity(claimsOf(token).exp), 'dempet'),
  );
}

window.showWho = (ui) => {
  let shown;
  const show = () => {
    const token = ui.authSelectors.authorized()?.toJS()?.entra?.value;
    if (token === shown) return;
    shown = token;
    if (!token) {
      line('', part('strong', 'Not authorised'), ' Paste a token under Authorize to try the operations.');
      return;
    }
    showClaims(token);
    const paths = ui.specSelectors.specJson().toJS().paths ?? {};
    if (paths['/api/v1/tilgang']) void showAccess(token).catch(() => showClaims(token));
  };
  ui.getStore().subscribe(show);
};
