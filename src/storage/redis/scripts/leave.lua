-- A node ends: it gives its lease back. What it could not take back others may sweep at once.
-- KEYS: the leases; the dead; the node's record. ARGV: the node.
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
end
return 1
