import { hasRole, type Role } from './access.guard.ts';

const ADAPTER = { scope: 'openid tiltak:adapter', organisasjon: 'nav' };

test.each<[string, Record<string, unknown>, Role, boolean]>([
  ['an adapter of the organisation', ADAPTER, 'adapter', true],
  ['an adapter of another organisation', { ...ADAPTER, organisasjon: 'demo-fylke' }, 'adapter', false],
  ['an adapter of no organisation', { scope: ADAPTER.scope }, 'adapter', false],
  ['several organisations', { ...ADAPTER, organisasjon: ['nav'] }, 'adapter', false],
  ['a scope that only begins alike', { ...ADAPTER, scope: 'tiltak:adapter.les' }, 'adapter', false],
  ['a scope that is not a text', { ...ADAPTER, scope: ['tiltak:adapter'] }, 'adapter', false],
  ['no scope', { organisasjon: 'nav' }, 'adapter', false],
  ['somebody on duty, as an adapter', { roles: ['drift'], organisasjon: 'nav' }, 'adapter', false],
  ['somebody on duty', { roles: ['drift'] }, 'drift', true],
  ['an adapter, on duty', ADAPTER, 'drift', false],
])('%s', (_who, claims, role, admits) => {
  expect(hasRole({ azp: 'klient', exp: 0, ...claims }, role, 'nav')).toBe(admits);
});
