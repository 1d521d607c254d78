/**
 * Lua for `customIncrTtlLuaScript` of rate-limiter-flexible: adds points to a window only if they fit. The library's own
 * script adds first and compares later, so that a refused upload would stay counted, and taking it back in a second step
 * would refuse others in between or, after the window's end, leave credit in the next one.
 *
 * KEYS[1] the window; ARGV points, seconds of a window, limit, seconds again (as the library passes them). Returns the sum,
 * which is above the limit exactly when nothing was added, and the milliseconds to the window's end.
 *
 * Lua's numbers are doubles: exact here, because `limit - used` compares whole numbers below 2^53 without ever adding two of
 * them first, and because what is stored is added up by the server in 64-bit integers from the strings as they came. The sum
 * is returned as text: ioredis 6 reads integer replies just below 2^53 one too high.
 */
export const COUNT_WITHIN_LIMIT = `
local used = tonumber(redis.call('get', KEYS[1]) or '0')
local ms_before_end = redis.call('pttl', KEYS[1])
local is_new = ms_before_end < 0
if is_new then
  used = 0
  ms_before_end = tonumber(ARGV[2]) * 1000
end
if tonumber(ARGV[1]) <= tonumber(ARGV[3]) - used then
  if is_new then
    redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
  else
    redis.call('incrby', KEYS[1], ARGV[1])
  end
end
return {string.format('%.0f', used + tonumber(ARGV[1])), ms_before_end}
`;
