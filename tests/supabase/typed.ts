// What an application writes with the types of web/circle27.d.ts. `tsc` reads this; nobody runs it. Below each
// `@ts-expect-error` stands a mistake: tsc complains if it finds none there.
import { createClient } from '@supabase/supabase-js';
import type { ButtonState, Circle, Circle27, Database, ErrorSlug, Events, NoCircle, Refusal, Refusals, SlotState } from '../../web/circle27';

const supabase = createClient<Database>('http://127.0.0.1:8027', 'anon-key');
const slot = '2026-11-23T14:00:00-08:00';

export async function functions(): Promise<void> {
  const { data: joined, error } = await supabase.rpc('join_waitlist', { p_time_slot: slot });
  if (error) return;
  const state: SlotState = joined;
  const words: 'Join' | "Can't Go" | 'Confirmed ✓' | 'Feedback >' | 'Past' = joined.buttonText;
  const version: number = joined.version;
  const changes: string | null = joined.changesAt;
  // @ts-expect-error it may be null
  const never_null: string = joined.changesAt;
  // @ts-expect-error there is no such state
  if (joined.buttonState === 'joined') return;
  // @ts-expect-error no such key
  joined.button_state;
  // @ts-expect-error the argument is missing
  await supabase.rpc('join_waitlist', {});
  // @ts-expect-error no such argument
  await supabase.rpc('join_waitlist', { p_slot: slot });
  // @ts-expect-error a slot is named by its instant
  await supabase.rpc('join_waitlist', { p_time_slot: 14 });
  // @ts-expect-error no such function
  await supabase.rpc('join_waitlists', { p_time_slot: slot });

  await supabase.rpc('get_button_states');
  const { data: day } = await supabase.rpc('get_button_states', { p_day: null });
  const first: SlotState | undefined = day?.slots[0];
  const { data: open } = await supabase.rpc('time_slots', { p_campus_id: 'stanford' });
  // @ts-expect-error the slots of everyone have no button
  open?.slots[0].buttonState;

  const about = [{ userId: 'c47e9d10-3b65-4f2a-8e94-7d2a1c5e8f03', meetAgain: true }];
  await supabase.rpc('submit_feedback', { p_time_slot: slot, p_rating: 5, p_comment: null, p_about: about });
  // @ts-expect-error the rating must be given
  await supabase.rpc('submit_feedback', { p_time_slot: slot });
  // @ts-expect-error about whom?
  await supabase.rpc('submit_feedback', { p_time_slot: slot, p_rating: 5, p_about: [{ meetAgain: true }] });

  const { data: circle } = await supabase.rpc('my_circle', { p_time_slot: slot });
  const mates: string[] = circle?.members.map((mate) => mate.displayName) ?? [];
  // @ts-expect-error a campus may have no free spot
  circle?.spot.name;

  await supabase.rpc('update_profile', { p_attributes: { major: 'physics', years: [1, 2] } });
  // @ts-expect-error attributes are an object
  await supabase.rpc('update_profile', { p_attributes: 'physics' });
  void [state, words, version, changes, never_null, first, mates];
}

export async function views(): Promise<void> {
  const { data: entries } = await supabase.from('waitlist_entries').select('time_slot, joined_at');
  const since: string[] = entries?.map((entry) => entry.joined_at) ?? [];
  // @ts-expect-error not asked for
  entries?.[0].version;
  await supabase.from('waitlist_entries').insert({ time_slot: slot });
  // @ts-expect-error which slot?
  await supabase.from('waitlist_entries').insert({ user_id: 'c47e9d10-3b65-4f2a-8e94-7d2a1c5e8f03' });
  // @ts-expect-error the database says when
  await supabase.from('waitlist_entries').insert({ time_slot: slot, joined_at: slot });
  // @ts-expect-error an entry can't be changed
  await supabase.from('waitlist_entries').update({ time_slot: slot });
  // @ts-expect-error names are read only
  await supabase.from('profiles').insert({ display_name: 'Eve' });
  const { data: feedback } = await supabase.from('feedback').select();
  // @ts-expect-error a comment may be missing
  feedback?.[0].comment.length;
  const { data: names } = await supabase.from('profiles').select('user_id, email');
  // @ts-expect-error no such column
  names?.[0].user_id;
  // @ts-expect-error no such view
  await supabase.from('users').select();
  void since;
}

export function refused(refusal: Refusal): boolean {
  const slug: ErrorSlug = 'deadline_passed';
  // @ts-expect-error no such slug
  const unknown: ErrorSlug = 'deadline_missed';
  const joining: Refusals['join_waitlist'] = 'deadline_passed';
  // @ts-expect-error joining is not refused for that
  const other: Refusals['join_waitlist'] = 'rating_invalid';
  void [unknown, joining, other];
  return refusal.details === slug || refusal.details === 'some words of PostgREST' || refusal.hint === null;
}

export function heard(events: Events): [ButtonState, Circle | NoCircle] {
  const told = events.circle;
  // @ts-expect-error who is in no circle has no mates
  told.members;
  const names = 'members' in told ? told.members.map((mate) => mate.displayName) : [told.reason];
  // @ts-expect-error no such event
  events.circles;
  void names;
  return [events.button.buttonState, told];
}

export async function clicked(client: Circle27): Promise<number> {
  client.addEventListener('change', () => client.status === 'live');
  client.addEventListener('button', ({ detail }) => detail.version);
  // @ts-expect-error no such event
  client.addEventListener('buttons', () => {});
  const { slots } = await client.call('get_button_states');
  // @ts-expect-error the slot is missing
  await client.call('my_circle', {});
  // @ts-expect-error a slot, not its instant
  await client.press('2026-11-23T14:00:00-08:00');
  await client.giveFeedback(slots[0]!, { rating: 5 });
  return (await client.circle(slots[0]!)).members.length;
}
