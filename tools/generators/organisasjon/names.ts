const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** The longest name of an app, `tiltak-datadeling-query-api-<navn>`, must fit where 63 characters are the limit. */
const LONGEST = 21;

/** What the name of an organisation must be, in words. */
export const NAME_RULE =
  'lower case letters and digits, with single hyphens between, beginning with a letter, 21 characters at most';

/** Whether databases, topics and apps can be named after it, and no two organisations get the same. */
export const isOrganisasjonName = (name: string): boolean => NAME.test(name) && name.length <= LONGEST;

/** The topic of an organisation that no source publishes to by itself. */
export const ownTopic = (name: string): string => `tiltak.${topicName(name)}`;

/** Without the team, as the topic is named in its manifest. */
export const topicName = (name: string): string => `datadeling-${name}-avtaler`;

/** The topic that each change of an avtale is told of on. */
export const triggerTopic = (name: string): string => `tiltak.${triggerTopicName(name)}`;

export const triggerTopicName = (name: string): string => `datadeling-${name}-avtale-endret`;

/**
 * The scope of Maskinporten that lets other organisations in to one of the organisation's apps: to look up, or as its adapter.
 * Of that organisation only, and Maskinporten takes no hyphen.
 */
export const scopeOf = (name: string, what: 'les' | 'adapter'): string => `nav:tiltak/${scopeName(name, what)}`;

/** As the platform wants it, without prefix and product. */
export const scopeName = (name: string, what: 'les' | 'adapter'): string => `${name.replaceAll('-', '')}.${what}`;
