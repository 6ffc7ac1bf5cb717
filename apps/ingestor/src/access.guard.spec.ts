import { onDuty } from '@tiltak/testing';
import { whyRefused, type Role } from './access.guard.ts';

const APP = { idtyp: 'app', roles: ['access_as_application'] };
const ADAPTER = { ...APP, scope: 'openid tiltak:adapter', organisasjon: 'nav' };
const PERSON = { ...onDuty(), roles: undefined };
const GROUP = '00000000-0000-4000-8000-0000000000d1';

test.each<[string, Record<string, unknown>, Role, RegExp | undefined]>([
  ['an adapter of the organisation', ADAPTER, 'adapter', undefined],
  ['an adapter of another organisation', { ...ADAPTER, organisasjon: 'demo-fylke' }, 'adapter', /tiltak:adapter/],
  ['an adapter of no organisation', { ...ADAPTER, organisasjon: undefined }, 'adapter', /tiltak:adapter/],
  ['several organisations', { ...ADAPTER, organisasjon: ['nav'] }, 'adapter', /tiltak:adapter/],
  ['a scope that only begins alike', { ...ADAPTER, scope: 'tiltak:adapter.les' }, 'adapter', /tiltak:adapter/],
  ['a scope that is not a text', { ...ADAPTER, scope: ['tiltak:adapter'] }, 'adapter', /tiltak:adapter/],
  ['no scope', { ...APP, organisasjon: 'nav' }, 'adapter', /tiltak:adapter/],
  ['an adapter without the app role', { ...ADAPTER, roles: ['annet'] }, 'adapter', /access_as_application/],
  ['a person, as an adapter', { ...ADAPTER, ...onDuty() }, 'adapter', /not a machine token/],
  ['a person with the role', onDuty(), 'drift', undefined],
  ['a person in a group', { ...PERSON, groups: ['x', GROUP] }, 'drift', undefined],
  ['a person in other groups', { ...PERSON, groups: ['x'] }, 'drift', /neither the role drift nor a group/],
  ['a person with groups that are a text', { ...PERSON, groups: GROUP }, 'drift', /neither the role drift nor a group/],
  ['a person with a role that is a text', { ...PERSON, roles: 'drift' }, 'drift', /neither the role drift nor a group/],
  ['a person without a Nav ident', { ...onDuty(), NAVident: undefined }, 'drift', /NAVident/],
  ['a machine with the role', { ...onDuty(), idtyp: 'app' }, 'drift', /machine token/],
  ['an adapter, on duty', ADAPTER, 'drift', /machine token/],
])('%s', (_who, claims, role, reason) => {
  const said = whyRefused({ issuedBy: 'entra', azp: 'klient', exp: 0, ...claims }, role, {
    organisasjon: 'nav',
    adapterMayWrite: 'ja',
    groupsOnDuty: [GROUP],
  });
  if (reason) expect(said).toMatch(reason);
  else expect(said).toBeUndefined();
});
