-- A node notes what it is about to put into the sets, if it still has its lease.
-- KEYS: the leases; the node's record.
-- ARGV: the node; how long the record is kept in ms; the entries.
-- Returns 1, or 0 when the node has no lease and nothing was noted.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
for place = 3, #ARGV do
  redis.call('HSET', KEYS[2], ARGV[place], 'held')
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
