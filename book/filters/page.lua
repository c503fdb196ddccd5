-- page.lua - what makes a chapter a page: its place between the others, links to other chapters, and the mistakes in
-- Markdown that would otherwise be shown to the reader.
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local function title_of(chapter)
    local text = common.read("chapters/" .. chapter .. ".md") or ""
    return common.stringify(pandoc.read(text, "markdown").meta.title or chapter)
end

local function neighbour(meta, key, chapter)
    if chapter then
        meta[key] = { href = chapter .. ".html", number = common.chapter_number(chapter), title = title_of(chapter) }
    end
end

function Meta(meta)
    if not meta.title then
        common.fail({}, "the chapter's YAML header has no title")
    end
    local id = common.chapter_id()
    local chapters = common.chapters()
    for index, chapter in ipairs(chapters) do
        if chapter == id then
            neighbour(meta, "previous", chapters[index - 1])
            neighbour(meta, "next", chapters[index + 1])
            meta.number = common.chapter_number(id)
        end
    end
    meta.pagetitle = (meta.number and (meta.number .. " ") or "") .. common.stringify(meta.title)
    return meta
end

function Link(link)
    if not link.target:match("^%a+:") then
        link.target = link.target:gsub("^([%w-]+)%.md", "%1.html")
    end
    return link
end

function Header(header)
    if header.level == 1 then
        common.fail({ "# " .. common.stringify(header) }, "a chapter's own headings begin with ##: its title is in the YAML header")
    end
    return nil
end

-- A fence that pandoc did not take for one.
function Para(para)
    local first = para.content[1]
    if first and first.t == "Str" and first.text:match("^:::") then
        common.fail({ common.stringify(para):match("^(:::+%s*%S*)") }, "this ::: is no box: a box begins and ends on lines of its own")
    end
    return nil
end
