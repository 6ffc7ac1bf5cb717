const NAVN = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** The longest name of an app, `tiltak-datadeling-query-api-<navn>`, must fit where 63 characters are the limit. */
const LENGST = 21;

/** What the name of an organisation must be, in words. */
export const NAVNEREGEL =
  'lower case letters and digits, with single hyphens between, beginning with a letter, 21 characters at most';

/** Whether databases, topics and apps can be named after it, and no two organisations get the same. */
export const erOrganisasjonsnavn = (navn: string): boolean => NAVN.test(navn) && navn.length <= LENGST;

/** The topic of an organisation that no source publishes to by itself. */
export const egetTopic = (navn: string): string => `tiltak.${topicnavn(navn)}`;

/** Without the team, as the topic is named in its manifest. */
export const topicnavn = (navn: string): string => `datadeling-${navn}-avtaler`;
