-- One request per line of a pool: "<story> <stride> <tree> <cookie header>". The n-th time round, a line asks for the
-- story n * stride places further on, so that a meter meets a story it has not read. Written by load.py.
local lines, paths, tail, n, count, place, round = {}, {}, "", 0, 0, 0, 0

function init(args)
  local pool, prefixed = assert(io.open(args[1], "r")), args[2] == "prefixed"
  local wait = tonumber(args[3]) or 0
  round = tonumber(args[4]) or 0
  if wait > 0 then -- wrk asks for a delay only where there is such a function, and then at a cost
    function delay() return math.floor(-wait * math.log(1 - math.random()) + 0.5) end
  end
  tail = " HTTP/1.1\r\nHost: " .. pool:read("*l") .. "\r\n" .. pool:read("*l"):gsub("|", "\r\n")
  local count_paths = tonumber(pool:read("*l"))
  for at = 1, count_paths do paths[at] = pool:read("*l") end
  for line in pool:lines() do
    local story, stride, tree, cookie = line:match("^(%d+) (%d+) (%a+) ?(.*)$")
    if cookie ~= "" then cookie = "Cookie: " .. cookie .. "\r\n" end
    n = n + 1
    lines[n] = {tonumber(story), tonumber(stride), prefixed and ("GET /" .. tree) or "GET ", cookie .. "\r\n"}
  end
  count = count_paths
  pool:close()
end

function request()
  place = place + 1
  if place > n then place, round = 1, round + 1 end
  local line = lines[place]
  return line[3] .. paths[(line[1] + round * line[2]) % count + 1] .. tail .. line[4]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d %d\n", summary.requests, summary.bytes, summary.duration,
    e.connect + e.read + e.write + e.timeout, e.status, latency:percentile(50), latency:percentile(99)))
end
