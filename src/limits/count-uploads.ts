/**
 * Of the requests and then of the bytes: what was used before the attempt to count, and the milliseconds to the window's end.
 * Zeroes where nothing was to be counted.
 */
export type WindowStates = readonly [
  requestsUsed: number,
  requestsMs: number,
  bytesUsed: number,
  bytesMs: number,
];

/**
 * Lua that counts many uploads in one step, each as if it were alone: its requests first; what they refuse is not counted as
 * bytes, and what the bytes refuse stays counted as a request. Nothing is added to a window that refuses.
 *
 * KEYS: of each upload the window of its requests and that of its bytes. ARGV[1] the seconds of the first, ARGV[2] of the
 * second, ARGV[3] for each upload `<requests allowed>,<bytes allowed>,<bytes>;`, empty where there is no bound. Answers with
 * {@link WindowStates} of each upload, as JSON. Whoever reads them finds by the same comparison what was counted.
 *
 * Lua's numbers are doubles: exact here, because `limit - used` compares whole numbers below 2^53 without ever adding two of
 * them first, and because what is stored is added up by the server in 64-bit integers from the strings as they came. The
 * answer is text, since one string costs the client less than a list of hundreds of them, and ioredis 6 reads integer replies
 * just below 2^53 one too high.
 */
export const COUNT_UPLOADS = `
local function count(key, seconds, limit, points)
  local used = redis.call('get', key) or '0'
  local ms_before_end = redis.call('pttl', key)
  local is_new = ms_before_end < 0
  if is_new then
    used = '0'
    ms_before_end = seconds * 1000
  end
  local fits = tonumber(points) <= tonumber(limit) - tonumber(used)
  if fits then
    if is_new then
      redis.call('set', key, points, 'EX', seconds)
    else
      redis.call('incrby', key, points)
    end
  end
  return fits, used .. ',' .. ms_before_end
end

local answers = {}
local of_upload = 0
for requests_allowed, bytes_allowed, bytes in string.gmatch(ARGV[3], '(%d*),(%d*),(%d+);') do
  local fits, of_requests, of_bytes = true, '0,0', '0,0'
  if requests_allowed ~= '' then
    fits, of_requests = count(KEYS[of_upload + 1], ARGV[1], requests_allowed, '1')
  end
  if fits and bytes_allowed ~= '' then
    fits, of_bytes = count(KEYS[of_upload + 2], ARGV[2], bytes_allowed, bytes)
  end
  of_upload = of_upload + 2
  answers[of_upload / 2] = '[' .. of_requests .. ',' .. of_bytes .. ']'
end
return '[' .. table.concat(answers, ',') .. ']'
`;
