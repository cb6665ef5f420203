-- Gives what is to be released of a dead node's record.
-- KEYS: the dead; the record of the dead node.
-- ARGV: the dead node; for how many ms nobody else may sweep it; how many entries to give.
-- Returns entries; none when the dead node is swept, or lives again.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return {}
end
local entries = redis.call('HRANDFIELD', KEYS[2], ARGV[3])
if #entries == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
end
return entries
