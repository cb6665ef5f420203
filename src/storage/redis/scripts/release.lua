-- Takes members out of a set.
-- KEYS: the set. ARGV: the members. Returns how many are left.
redis.call('SREM', KEYS[1], unpack(ARGV))
return redis.call('SCARD', KEYS[1])
