-- A node says that it lives, and is given one that does not.
-- KEYS: the leases; the dead.
-- ARGV: the node; the length of a lease in ms; 1 when it may be given a dead node, else 0; how long the keys are kept.
-- Returns the node's standing (0: another node is sweeping it, so it has no lease; 1: it had none; 2: it had one), and
-- the node that it is given to sweep, for the length of a lease, or an empty string.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, lease, mayFind, kept = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4]

local sweptUntil = redis.call('ZSCORE', KEYS[2], node)
if sweptUntil and tonumber(sweptUntil) > now then
  return { 0, '' }
end
local standing = redis.call('ZSCORE', KEYS[1], node) and 2 or 1
-- The first thing written is one that a full Redis refuses: what follows a first write in a script it lets through.
redis.call('ZADD', KEYS[1], now + lease, node)
redis.call('ZREM', KEYS[2], node)

local found = ''
if mayFind then
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
    redis.call('ZREM', KEYS[1], late)
    redis.call('ZADD', KEYS[2], 0, late)
  end
  found = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1)[1] or ''
  if found ~= '' then
    redis.call('ZADD', KEYS[2], now + lease, found)
  end
end
redis.call('PEXPIRE', KEYS[1], kept)
redis.call('PEXPIRE', KEYS[2], kept)
return { standing, found }
