/**
 * Lua that counts many uploads in one step, each as if it were alone.
 *
 * The limits of an upload are counted in order. A limit that rejects the upload is left unchanged,
 * and so are those after it; what was counted before stays counted.
 *
 * KEYS: for each upload, the window of every limit. ARGV: the seconds of each limit's window; then
 * one text with `<allowed>,<amount>;` for each upload and limit, with nothing before the comma if
 * the rule does not have the limit.
 *
 * Returns a flat JSON array. It has two numbers for each upload and limit: how much was used
 * before, and the milliseconds until the window ends. Both are 0 for a limit that was not
 * evaluated. The client repeats the comparison to find out what was counted.
 *
 * Lua's numbers are doubles. They are exact here: `limit - used` compares whole numbers below 2^53
 * without adding any two of them first, and the server adds stored values as 64-bit integers, from
 * the text that it was sent. The result is text, because parsing one string costs the client less
 * than a list of hundreds of strings, and because ioredis 6 reads integer replies just below 2^53
 * as one too high.
 */
export const COUNT_UPLOADS = `
local function count(key, seconds, limit, amount)
  local used = redis.call('get', key) or '0'
  local ms_before_end = redis.call('pttl', key)
  local is_new = ms_before_end < 0
  if is_new then
    used = '0'
    ms_before_end = seconds * 1000
  end
  local fits = tonumber(amount) <= tonumber(limit) - tonumber(used)
  if fits then
    if is_new then
      redis.call('set', key, amount, 'EX', seconds)
    else
      redis.call('incrby', key, amount)
    end
  end
  return fits, used .. ',' .. ms_before_end
end

local limits = #ARGV - 1
local states = {}
local fits = true
for allowed, amount in string.gmatch(ARGV[#ARGV], '(%d*),(%d+);') do
  local limit = #states % limits
  if limit == 0 then fits = true end
  local state = '0,0'
  if fits and allowed ~= '' then
    fits, state = count(KEYS[#states + 1], ARGV[limit + 1], allowed, amount)
  end
  states[#states + 1] = state
end
return '[' .. table.concat(states, ',') .. ']'
`;
