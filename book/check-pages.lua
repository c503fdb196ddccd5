-- check-pages.lua - are the pages that were built right, and do they agree with the exercises?
--
--   echo | pandoc --lua-filter book/check-pages.lua --metadata pages=build/book -t plain
--
-- A filter only so that pandoc runs it: its input is ignored. Prints a line for each thing that is wrong, then `N passed,
-- N failed`; exit status 1 where any failed. Run in the checkout, after `make book`. The patterns read what pandoc, dot,
-- gnuplot and our own filters write, not any HTML there is.
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "filters/common.lua")

local passed, failed = 0, 0

-- One check, of which `wrongs` lists what is wrong.
local function check(where, wrongs)
    for _, wrong in ipairs(wrongs) do
        io.stdout:write("✗ " .. where .. ": " .. wrong .. "\n")
    end
    failed = failed + #wrongs
    passed = passed + (#wrongs == 0 and 1 or 0)
end

-- ---- pages -------------------------------------------------------------------------------------------------------

local void = { meta = true, link = true, br = true, hr = true, img = true, input = true, col = true, wbr = true, ["!doctype"] = true }

-- Every tag as { close, name, attributes, empty }.
local function tags_of(html)
    local tags = {}
    for close, name, rest in html:gsub("<!%-%-.-%-%->", ""):gmatch("<(/?)([%a!][%w:]*)(.-)>") do
        tags[#tags + 1] = { close = close == "/", name = name:lower(), rest = rest, empty = rest:match("/%s*$") ~= nil }
    end
    return tags
end

local function attribute(tag, name)
    return (" " .. tag.rest):match("%s" .. name .. '="([^"]*)"')
end

local function page_of(path)
    local html = common.read(path)
    local page = { html = html, tags = tags_of(html), ids = {}, twice = {} }
    for _, tag in ipairs(page.tags) do
        local id = not tag.close and attribute(tag, "id")
        if id then
            page.ids[id] = (page.ids[id] or 0) + 1
        end
    end
    for id, count in pairs(page.ids) do
        if count > 1 then
            table.insert(page.twice, "the id " .. id .. " is there " .. count .. " times")
        end
    end
    return page
end

local function balance(page)
    local open = {}
    for _, tag in ipairs(page.tags) do
        if tag.close then
            if open[#open] ~= tag.name then
                return { "</" .. tag.name .. "> closes <" .. (open[#open] or "nothing") .. ">" }
            end
            open[#open] = nil
        elseif not void[tag.name] and not tag.empty then
            open[#open + 1] = tag.name
        end
    end
    return #open > 0 and { "<" .. open[#open] .. "> is not closed" } or {}
end

-- What is wrong with one target; nil where nothing is. `files` are the other files of the book, by name.
local function bad_target(pages, files, here, target)
    if target:match("^https?://") or target:match("^mailto:") then
        return nil
    end
    local file, anchor = target:match("^([^#]*)#?(.*)$")
    local page = file == "" and here or pages[file]
    if not page and not files[file] then
        return "links to " .. target .. ", and there is no such page"
    elseif anchor ~= "" and not (page and page.ids[anchor]) then
        return "links to " .. target .. ", and that page has no such place"
    end
    return nil
end

local function links(pages, files, page)
    local wrongs = {}
    for _, tag in ipairs(page.tags) do
        local target = not tag.close and (attribute(tag, "href") or attribute(tag, "xlink:href"))
        wrongs[#wrongs + 1] = target and bad_target(pages, files, page, target) or nil
        for id in ((not tag.close and attribute(tag, "aria%-labelledby")) or ""):gmatch("%S+") do
            wrongs[#wrongs + 1] = not page.ids[id] and ("aria-labelledby names " .. id .. ", which is not there") or nil
        end
    end
    return wrongs
end

-- A page loads nothing but the style sheet beside it.
local function loads(page)
    local wrongs = {}
    for _, tag in ipairs(page.tags) do
        local source = attribute(tag, "src") or (tag.name == "link" and attribute(tag, "href"))
        if tag.name == "script" and not tag.close then
            wrongs[#wrongs + 1] = "has a script"
        elseif source and (source:match("^%a+:") or source:match("^/")) then
            wrongs[#wrongs + 1] = "loads " .. source:sub(1, 60)
        end
    end
    return wrongs
end

local function headings(page)
    local wrongs, level, tops = {}, 0, 0
    for _, tag in ipairs(page.tags) do
        local now = not tag.close and tonumber(tag.name:match("^h([1-6])$"))
        if now then
            tops = tops + (now == 1 and 1 or 0)
            if now > level + 1 then
                wrongs[#wrongs + 1] = "a heading of level " .. now .. " follows level " .. level .. " (" ..
                    (attribute(tag, "id") or "no id") .. ")"
            end
            level = now
        end
    end
    if tops ~= 1 then
        wrongs[#wrongs + 1] = "has " .. tops .. " headings of level 1"
    end
    return wrongs
end

-- What a reader who does not see the page needs.
local function labels(page)
    local wrongs = {}
    for _, tag in ipairs(page.tags) do
        if tag.name == "img" and not attribute(tag, "alt") then
            wrongs[#wrongs + 1] = "an image has no alt"
        elseif tag.name == "svg" and not tag.close and (attribute(tag, "aria%-label") or "") == "" then
            wrongs[#wrongs + 1] = "a picture has no label"
        elseif tag.name == "html" and not tag.close and not attribute(tag, "lang") then
            wrongs[#wrongs + 1] = "does not say its language"
        end
    end
    if not page.html:match("<title>%s*%S") then
        wrongs[#wrongs + 1] = "has no title"
    end
    return wrongs
end

local function check_pages(folder)
    local pages, files, names = {}, {}, {}
    for _, name in ipairs(common.list(folder)) do
        files[name] = true
        if name:match("%.html$") then
            pages[name] = page_of(folder .. "/" .. name)
            names[#names + 1] = name
        end
    end
    for _, name in ipairs(names) do
        local page = pages[name]
        check(name, balance(page))
        check(name, page.twice)
        check(name, links(pages, files, page))
        check(name, loads(page))
        check(name, headings(page))
        check(name, labels(page))
    end
    check(folder, pages["index.html"] and {} or { "there is no index.html" })
    return pages
end

-- ---- chapters ----------------------------------------------------------------------------------------------------

local languages = { c = true, cpp = true, h = true, C = true }

-- Lines of C in a block that was typed in; blocks without a language count where they look like C.
local function typed_lines(block)
    local tagged, looks, lines = false, 0, 0
    for _, class in ipairs(block.classes) do
        tagged = tagged or languages[class]
    end
    for _, line in ipairs(common.lines(block.text)) do
        lines = lines + (line:match("%S") and 1 or 0)
        looks = looks + ((line:match(";%s*$") and line:match("[%w_]+%(.*%)") or line:match("^#include")) and 1 or 0)
    end
    if tagged or (#block.classes == 0 and looks >= 2) then
        return lines
    end
    return 0
end

local function check_chapter(chapter)
    local path = "chapters/" .. chapter .. ".md"
    local doc = pandoc.read(common.read(path), "markdown")
    local typed, heads = {}, {}
    doc:walk({ CodeBlock = function(block)
        if not block.attributes.source and typed_lines(block) > 1 then
            typed[#typed + 1] = "C is typed in (" .. block.text:match("[^\n]*") .. "); quote it from a file by its region"
        end
    end })
    for _, key in ipairs({ "title", "subtitle" }) do
        heads[#heads + 1] = not doc.meta[key] and ("its YAML header has no " .. key) or nil
    end
    check(path, typed)
    check(path, heads)
end

-- ---- exercises ---------------------------------------------------------------------------------------------------

local function times(pages, id)
    local count, where = 0, nil
    for name, page in pairs(pages) do
        if page.ids[id] then
            count = count + page.ids[id]
            where = name
        end
    end
    return count, where
end

local function box(pages, exercise, kind)
    local id = kind .. "-" .. exercise.name
    local count = (pages[exercise.chapter .. ".html"] or { ids = {} }).ids[id] or 0
    if count == 1 then
        return {}
    end
    local _, where = times(pages, id)
    return { "has " .. count .. " ." .. kind .. " boxes in chapters/" .. exercise.chapter .. ".md; it needs 1"
        .. (where and (" (" .. where .. " has one)") or "") }
end

local function section(pages, exercise)
    local read = (exercise.ini.exercise or {}).read or ""
    local chapter, anchor = read:match("^([%w-]+)#([%w-]+)$")
    local page = chapter and pages[chapter .. ".html"]
    if not chapter then
        return { "exercise.ini: read = " .. read .. " is not CHAPTER#SECTION" }
    elseif not page then
        return { "exercise.ini: read = " .. read .. ": there is no chapters/" .. chapter .. ".md" }
    elseif not page.ids[anchor] then
        return { "exercise.ini: read = " .. read .. ": the chapter has no heading with {#" .. anchor .. "}" }
    end
    return {}
end

function Pandoc(doc)
    local pages = check_pages(common.stringify(doc.meta.pages or "build/book"))
    for _, chapter in ipairs(common.chapters()) do
        check_chapter(chapter)
    end
    for _, exercise in ipairs(common.exercises()) do
        check(exercise.id, box(pages, exercise, "exercise"))
        check(exercise.id, box(pages, exercise, "reference"))
        check(exercise.id, section(pages, exercise))
    end
    io.stdout:write(passed .. " passed, " .. failed .. " failed\n")
    io.stdout:flush()
    os.exit(failed == 0 and 0 or 1)
end
