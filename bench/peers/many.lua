-- wrk sends the requests of a file in turn: method, path, token and body on each line.
local requests = {}

function init(arguments)
  local base = wrk.path == "/" and "" or wrk.path
  for line in io.lines(arguments[1]) do
    local method, path, token, body = line:match("^(%u+)\t([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = { ["Authorization"] = "Bearer " .. token }
    if body == "" then body = nil else headers["Content-Type"] = "application/json" end
    requests[#requests + 1] = wrk.format(method, base .. path, headers, body)
  end
end

local number = 0
function request()
  number = number % #requests + 1
  return requests[number]
end
