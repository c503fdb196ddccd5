-- listings.lua - code that is quoted from the project's own files, and screens that were quoted from a run.
--
--   ```{.c source="solutions/02-locks/rlock.c" region="acquire"}     a named region; without one, the whole file
--   ```{.screen name="counter_race"}                                 book/screens/counter_race.txt
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local quoted = 0

-- The block in a frame that says where it is from.
local function framed(block, label, class)
    local caption = pandoc.Div({ pandoc.Plain(label) }, pandoc.Attr("", { "from" }))
    return pandoc.Div({ caption, block }, pandoc.Attr("", { class }, { role = "figure" }))
end

local function quote(block)
    local source, region = block.attributes.source, block.attributes.region
    local words = { 'source="' .. source .. '"', region and ('region="' .. region .. '"') or "" }
    if block.text:match("%S") then
        common.fail(words, "this listing has a source and a body; leave the body out")
    end
    quoted = quoted + 1
    block.text = common.listing(source, region, words)
    block.attributes.source = nil
    block.attributes.region = nil
    local label = pandoc.List({ pandoc.Code(source) })
    if region then
        label:extend({ pandoc.Str(", "), pandoc.Str(region) })
    end
    return framed(block, label, "listing")
end

local function screen(block)
    local name = block.attributes.name
    if not name then
        common.fail({ ".screen" }, 'a .screen needs name="…"')
    end
    local words = { ".screen", 'name="' .. name .. '"' }
    local path = "book/screens/" .. name .. ".txt"
    local text = common.read(path)
    if not text then
        common.fail(words, "there is no " .. path .. "; name it in book/screens/screens.txt and run `make screens`")
    end
    block.text = text:gsub("%s+$", "")
    block.classes = { "screen" }
    block.attributes = {}
    return pandoc.Div({ block }, pandoc.Attr("", { "screen" }, { { "role", "figure" }, { "aria-label", "What the grader prints" } }))
end

function CodeBlock(block)
    if block.classes:includes("screen") then
        return screen(block)
    elseif block.attributes.source then
        return quote(block)
    elseif block.attributes.region then
        common.fail({ "region=" }, 'a listing with a region needs source="…"')
    end
    return nil
end
