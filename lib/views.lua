#!lua name=carebus
-- Views: the current state of an aggregate as its owner last told it. A view is a hash at `view:<kind>:<id>` with the
-- members `version` and `body` (JSON). Workers write views through view_put alone, so a late writer never wins.

-- view_put KEY version ttl_seconds body -> 1 when written, 0 when a newer version is there already.
-- The same version again is written again: it renews the time to live. Owners count from 1, so a door's guess, which has
-- version 0, is only there until the owner tells what is so, and never after that.
local function view_put(keys, args)
	local version = tonumber(args[1])
	local ttl_ms = tonumber(args[2]) and tonumber(args[2]) * 1000
	if #keys ~= 1 or #args ~= 3 or not version or not ttl_ms or ttl_ms < 1 then
		return redis.error_reply('ERR view_put KEY version ttl_seconds body')
	end
	local stored = tonumber(redis.call('HGET', keys[1], 'version') or '')
	if stored and stored > version then
		return 0
	end
	redis.call('HSET', keys[1], 'version', args[1], 'body', args[3])
	redis.call('PEXPIRE', keys[1], string.format('%d', ttl_ms))
	return 1
end

redis.register_function('view_put', view_put)
