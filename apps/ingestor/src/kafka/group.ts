import type { Lane, Load } from './lane.ts';

/** As much as is worth one transaction, and holds up nobody for long. One message that is larger comes all the same. */
export const GROUP_BYTES = 4 * 1024 * 1024;
/** So that participants have locks of their own: see `MOST_OWN_LOCKS`. */
export const GROUP_MESSAGES = 1_500;

export interface Loaded extends Load {
  lane: Lane;
}

/**
 * What is stored next, of all lanes that have something: at most one batch of each. Each has an equal share of the room, and
 * what one does not need is the others'. Whoever found no room comes first the next time.
 *
 * A lane that was not stored is chosen alone, in turn with the others: what fails for it fails for nobody else.
 *
 * @param turn the number of this group
 */
export function gatherGroup(lanes: Iterable<Lane>, turn: number): Loaded[] {
  const ready = [...lanes].filter(({ isReady }) => isReady).sort((a, b) => a.turn - b.turn);
  const [first] = ready;
  const chosen = first?.stuck ? [first] : ready.filter(({ stuck }) => !stuck);
  chosen.sort((a, b) => Number(b.foundNoRoom) - Number(a.foundNoRoom) || a.bytes - b.bytes);
  const group: Loaded[] = [];
  let [bytes, messages, left] = [GROUP_BYTES, GROUP_MESSAGES, chosen.length];
  for (const lane of chosen) {
    lane.foundNoRoom = bytes <= 0 || messages <= 0;
    if (lane.foundNoRoom) continue;
    const share = { bytes: Math.ceil(bytes / left), messages: Math.ceil(messages / left) };
    const room = { ...share };
    left--;
    const load = lane.load(room);
    if (!load) continue;
    lane.turn = turn;
    bytes -= share.bytes - room.bytes;
    messages -= share.messages - room.messages;
    group.push({ lane, ...load });
  }
  return group;
}
