export { expected, type Expected, type PositionedSourceMessage } from './oracle/oracle.ts';
export { expectedPhase, type ExpectedLife, type ExpectedPhase } from './oracle/phase.ts';
export type { ExpectedAvtale } from './oracle/message.ts';
export { createIdentEvents, expectedPersons, participantsIn } from './identer.ts';
export { createEvents, createUpdates } from './events.ts';
export type { SourceMessage } from './source/source-message.ts';
export { SCENARIOS } from './scenarios/scenarios.ts';
export type { Planted, Scenario, ScenarioAvtale, ScenarioContent, ScenarioWorld } from './scenarios/scenario.ts';
