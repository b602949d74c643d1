-- For wrk: each path of the file PATHS after the other, each thread from another place on.
local requests, place, threads = {}, 0, 0

function setup(thread)
	thread:set("number", threads)
	threads = threads + 1
end

function init()
	for path in io.lines(os.getenv("PATHS")) do
		requests[#requests + 1] = wrk.format("GET", path)
	end
	place = math.floor(number * #requests / 2)
end

function request()
	place = place % #requests + 1
	return requests[place]
end
