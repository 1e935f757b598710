// What an application does with supabase-js, unmodified, against the gateway.
//
//   node client.mjs '{"url": …, "key": …, "accessToken": …, "authorization": …, "chains": […]}'
//
// A chain is calls on one client, written down: [["from", "waitlist_entries"], ["select", "*"], ["eq", "user_id", "…"]]
// is client.from("waitlist_entries").select("*").eq("user_id", "…"). Prints {data, error, count, status} of each, in
// order, as JSON. accessToken and authorization are the two ways in which an application may bring a member's token.
import { createClient } from '@supabase/supabase-js';

const { url, key, accessToken, authorization, chains } = JSON.parse(process.argv[2]);

const supabase = createClient(url, key, {
  auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  ...(accessToken && { accessToken: async () => accessToken }),
  ...(authorization && { global: { headers: { Authorization: `Bearer ${authorization}` } } }),
});

// The client of the document that this project began with, without its types.
const getCurrentPSTTime = () => new Date();
async function getButtonState(userId, timeSlot) {
  const { data, error } = await supabase.rpc('get_button_state', {
    p_user_id: userId,
    p_time_slot: timeSlot,
    p_current_time: getCurrentPSTTime()
  });

  if (error) throw error;
  return data;
}

const answers = [];
for (const chain of chains) {
  if (chain[0][0] === 'getButtonState') {
    answers.push({ data: await getButtonState(...chain[0].slice(1)) });
    continue;
  }
  const { data, error, count, status } = await chain.reduce((at, [method, ...args]) => at[method](...args), supabase);
  const { message, code, details, hint } = error ?? {};
  answers.push({ data, error: error && { message, code, details, hint }, count, status });
}
console.log(JSON.stringify(answers));
