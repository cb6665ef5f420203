-- Puts members into a set, which then lives for some time at least. A longer life, which others gave it, stays.
-- KEYS: the set. ARGV: its life in ms; the members.
redis.call('SADD', KEYS[1], unpack(ARGV, 2))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
