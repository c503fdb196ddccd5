-- common.lua - what the book's filters share: files, regions, exercise.ini, and how an error is said.
--
-- Filters run with the checkout as the working directory; every path here is relative to it. A mistake in a chapter
-- stops the build with one line, `chapters/02-locks.md:31: what is wrong; what to do`, and exit status 1.

local common = {}

common.stringify = pandoc.utils.stringify

-- The chapter that is being rendered.
function common.chapter_path()
    return PANDOC_STATE.input_files[1] or "(standard input)"
end

-- Its name without folders and ending: "02-locks".
function common.chapter_id()
    return (common.chapter_path():gsub("^.*/", ""):gsub("%.md$", ""))
end

-- A whole file, or nil.
function common.read(path)
    local file = io.open(path, "rb")
    if not file then
        return nil
    end
    local text = file:read("a") -- nil for a folder
    file:close()
    return text
end

-- The lines of a text, without their ends.
function common.lines(text)
    local lines = {}
    if text ~= "" and text:sub(-1) ~= "\n" then
        text = text .. "\n"
    end
    for line in text:gmatch("(.-)\r?\n") do
        lines[#lines + 1] = line
    end
    return lines
end

-- The number of the chapter's first line below its YAML header that holds all of `words` as they stand; nil where none does.
local function line_with(words)
    local header = false
    for number, line in ipairs(common.lines(common.read(common.chapter_path()) or "")) do
        header = (number == 1 and line == "---") or (header and line ~= "---")
        local all = not header
        for _, word in ipairs(words) do
            all = all and line:find(word, 1, true) ~= nil
        end
        if all then
            return number
        end
    end
    return nil
end

-- Stops the build. `words` are texts that stand on the line that is wrong: pandoc does not say where a block came from.
function common.fail(words, message)
    local number = #words > 0 and line_with(words)
    local place = common.chapter_path() .. (number and (":" .. number) or "")
    io.stderr:write(place .. ": " .. message .. "\n")
    os.exit(1)
end

-- A dictionary's keys in order, as a text for a message.
local function names_of(set)
    local names = {}
    for name in pairs(set) do
        names[#names + 1] = name
    end
    table.sort(names)
    return #names > 0 and table.concat(names, ", ") or "none"
end

-- The name in a marker line: `/* region X */`, or after # or // where the language has other comments.
local function marker(line, word)
    return line:match("^%s*/%*%s*" .. word .. "%s+([%w_-]+)%s*%*/%s*$")
        or line:match("^%s*//%s*" .. word .. "%s+([%w_-]+)%s*$")
        or line:match("^%s*#%s*" .. word .. "%s+([%w_-]+)%s*$")
end

local function trim_blank(lines)
    while #lines > 0 and lines[1]:match("^%s*$") do
        table.remove(lines, 1)
    end
    while #lines > 0 and lines[#lines]:match("^%s*$") do
        table.remove(lines)
    end
    return lines
end

-- Cuts a source into its regions. Returns { name = lines }, all lines but the markers, and an error or nil.
-- Regions may stand inside one another; each name once.
function common.regions(text)
    local found, open, all = {}, {}, {}
    for number, line in ipairs(common.lines(text)) do
        local begins, ends = marker(line, "region"), marker(line, "end")
        if begins then
            if found[begins] then
                return nil, nil, number .. ": region " .. begins .. " is there twice"
            end
            found[begins] = {}
            open[#open + 1] = begins
        elseif ends then
            if open[#open] ~= ends then
                return nil, nil, number .. ": end " .. ends .. " does not close " .. (open[#open] or "any region")
            end
            open[#open] = nil
        else
            all[#all + 1] = line
            for _, name in ipairs(open) do
                table.insert(found[name], line)
            end
        end
    end
    if #open > 0 then
        return nil, nil, "region " .. open[#open] .. " has no end"
    end
    for _, lines in pairs(found) do
        trim_blank(lines)
    end
    return found, trim_blank(all)
end

-- The text of a listing. `words` says where in the chapter it is asked for.
function common.listing(source, region, words)
    local outside = source:match("^/") or ("/" .. source .. "/"):find("/../", 1, true)
    local text = not outside and common.read(source)
    if not text then
        common.fail(words, "there is no file " .. source .. " in the project")
    end
    local found, all, wrong = common.regions(text)
    if wrong then
        common.fail(words, source .. ":" .. wrong)
    end
    if region and not found[region] then
        common.fail(words, source .. " has no region " .. region .. "; it has: " .. names_of(found))
    end
    local lines = region and found[region] or all
    if #lines == 0 then
        common.fail(words, source .. (region and (": region " .. region) or "") .. " is empty")
    end
    return table.concat(lines, "\n")
end

-- exercise.ini as { section = { key = value } }; a key that is given twice keeps its last value.
function common.ini(path)
    local text = common.read(path)
    if not text then
        return nil
    end
    local sections, section = {}, {}
    for _, line in ipairs(common.lines(text)) do
        line = line:gsub("%s;.*$", ""):gsub("^[;#].*$", "")
        local name = line:match("^%s*%[([^%]]+)%]")
        local key, value = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
        if name then
            section = sections[name] or {}
            sections[name] = section
        elseif key then
            section[key] = value
        end
    end
    return sections
end

-- Names in a folder, sorted; empty where there is none.
function common.list(path)
    local good, output = pcall(pandoc.pipe, "sh", { "-c", 'ls -1 "$1" 2>/dev/null', "ls", path }, "")
    local names = good and common.lines(output) or {}
    table.sort(names)
    return names
end

-- Every exercise as a list of { id, chapter, name, ini }, in course order.
local known
function common.exercises()
    if known then
        return known
    end
    local all = {}
    for _, chapter in ipairs(common.list("grader/checks")) do
        for _, name in ipairs(common.list("grader/checks/" .. chapter)) do
            local ini = common.ini("grader/checks/" .. chapter .. "/" .. name .. "/exercise.ini")
            if ini then
                all[#all + 1] = { id = chapter .. "/" .. name, chapter = chapter, name = name, ini = ini }
            end
        end
    end
    table.sort(all, function(a, b)
        local first = tonumber((a.ini.exercise or {}).order) or 0
        local second = tonumber((b.ini.exercise or {}).order) or 0
        if a.chapter ~= b.chapter then
            return a.chapter < b.chapter
        elseif first ~= second then
            return first < second
        end
        return a.name < b.name
    end)
    known = all
    return all
end

-- The exercise with this id, or nil.
function common.exercise(id)
    for _, exercise in ipairs(common.exercises()) do
        if exercise.id == id then
            return exercise
        end
    end
    return nil
end

-- What to type after EX= for it: its name, or its whole id where another chapter has the same name.
function common.short_name(exercise)
    for _, other in ipairs(common.exercises()) do
        if other.name == exercise.name and other.id ~= exercise.id then
            return exercise.id
        end
    end
    return exercise.name
end

-- The names of the chapters there are: "00-start", …
function common.chapters()
    local all = {}
    for _, file in ipairs(common.list("chapters")) do
        local name = file:match("^(%d%d%-.+)%.md$")
        if name then
            all[#all + 1] = name
        end
    end
    return all
end

-- "02" for "02-locks".
function common.chapter_number(id)
    return id:match("^(%d%d)%-") or id
end

function common.is_html()
    return FORMAT:match("html") ~= nil or FORMAT:match("epub") ~= nil
end

function common.escape(text)
    return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

-- Blocks that a reader opens. `summary` is a list of inlines. On paper they simply follow their summary.
function common.fold(summary, blocks, identifier, class)
    local folded = pandoc.List({})
    if common.is_html() then
        local html = pandoc.write(pandoc.Pandoc({ pandoc.Plain(summary) }), "html5"):gsub("%s+$", "")
        local attributes = (identifier and (' id="' .. identifier .. '"') or "") .. ' class="' .. class .. '"'
        folded:insert(pandoc.RawBlock("html", "<details" .. attributes .. "><summary>" .. html .. "</summary>"))
        folded:extend(blocks)
        folded:insert(pandoc.RawBlock("html", "</details>"))
    else
        folded:insert(pandoc.Para({ pandoc.Strong(summary) }))
        folded:extend(blocks)
    end
    return folded
end

-- A picture with its caption under it. `svg` is a whole <svg> element.
function common.figure(svg, caption, below, class)
    local blocks = pandoc.List({ pandoc.RawBlock("html", '<figure class="' .. class .. '">'),
        pandoc.RawBlock("html", '<div class="scroll" tabindex="0">' .. svg .. "</div>"),
        pandoc.RawBlock("html", "<figcaption>") })
    blocks:insert(pandoc.Plain(caption))
    blocks:insert(pandoc.RawBlock("html", "</figcaption>"))
    blocks:extend(below or {})
    blocks:insert(pandoc.RawBlock("html", "</figure>"))
    return blocks
end

-- An SVG made by a tool, ready to stand in a page: no prolog, no tooltips, every id unique through `prefix`, a label to
-- read aloud, and black and white left to the style sheet.
function common.inline_svg(svg, prefix, label)
    svg = svg:gsub("^.-(<svg)", "%1"):gsub("<!%-%-.-%-%->", ""):gsub("<title>.-</title>", ""):gsub("<desc>.-</desc>", "")
    svg = svg:gsub(" id='([^']*)'", ' id="%1"'):gsub(' id="([^"]*)"', ' id="' .. prefix .. '-%1"')
    svg = svg:gsub("href='#([^']*)'", 'href="#%1"'):gsub('href="#', 'href="#' .. prefix .. "-")
    svg = svg:gsub("url%((['\"]?)#", "url(%1#" .. prefix .. "-")
    svg = svg:gsub("^<svg", '<svg role="img" aria-label="' .. common.escape(label):gsub("%%", "%%%%") .. '"')
    return (svg:gsub("\n%s*\n", "\n"):gsub("%s+$", ""))
end

-- A caption as inlines: it may hold `code` and *emphasis*.
function common.inlines(text)
    return pandoc.utils.blocks_to_inlines(pandoc.read(text, "markdown").blocks)
end

-- What a tool makes of `input`; its own words stop the build where it fails.
function common.run(program, arguments, input, words)
    local good, output = pcall(pandoc.pipe, program, arguments, input)
    if not good then
        local said = type(output) == "table" and output.output or tostring(output)
        common.fail(words, program .. " failed" .. (said ~= "" and (": " .. said:gsub("%s+$", "")) or "; its words stand above"))
    end
    return output
end

return common
