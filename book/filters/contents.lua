-- contents.lua - ::: {.contents} ::: becomes every chapter with its sections and exercises.
local common = dofile((PANDOC_SCRIPT_FILE:gsub("[^/]*$", "")) .. "common.lua")

local total = { chapters = 0, exercises = 0, points = 0 }

-- The sections of a chapter, in order: { { title = inlines, anchor = "locks", exercises = { … } }, … }.
local function sections_of(blocks, page, sections)
    for _, block in ipairs(blocks) do
        if block.t == "Header" and block.level == 2 then
            table.insert(sections, { title = block.content, href = page .. "#" .. block.identifier, exercises = {} })
        elseif block.t == "Div" and block.classes:includes("exercise") then
            local exercise = common.exercise(block.identifier)
            if exercise and #sections > 0 then
                table.insert(sections[#sections].exercises, exercise)
            end
        elseif block.t == "Div" then
            sections_of(block.content, page, sections)
        end
    end
    return sections
end

local function exercise_item(exercise, page)
    local ini = exercise.ini.exercise or {}
    total.exercises = total.exercises + 1
    total.points = total.points + (tonumber(ini.points) or 0)
    return { pandoc.Plain({
        pandoc.Link({ pandoc.Str(ini.title or exercise.name) }, page .. "#exercise-" .. exercise.name),
        pandoc.Space(),
        pandoc.Span({ pandoc.Code(exercise.name), pandoc.Str(", " .. (ini.points or "?") .. " points") },
            pandoc.Attr("", { "small" })),
    }) }
end

local function section_item(section, page)
    local title = pandoc.Plain({ pandoc.Link(section.title, section.href) })
    if #section.exercises == 0 then
        return { title }
    end
    local items = {}
    for _, exercise in ipairs(section.exercises) do
        items[#items + 1] = exercise_item(exercise, page)
    end
    return { title, pandoc.Div({ pandoc.BulletList(items) }, pandoc.Attr("", { "exercises" })) }
end

local function chapter_blocks(chapter)
    local page = chapter .. ".html"
    local doc = pandoc.read(common.read("chapters/" .. chapter .. ".md"), "markdown")
    local items = {}
    for _, section in ipairs(sections_of(doc.blocks, page, {})) do
        items[#items + 1] = section_item(section, page)
    end
    total.chapters = total.chapters + 1
    local blocks = pandoc.List({ pandoc.Header(2, {
        pandoc.Span({ pandoc.Str(common.chapter_number(chapter)) }, pandoc.Attr("", { "number" })), pandoc.Space(),
        pandoc.Link({ pandoc.Str(common.stringify(doc.meta.title or chapter)) }, page),
    }, pandoc.Attr("chapter-" .. chapter)) })
    if doc.meta.subtitle then
        blocks:insert(pandoc.Para({ pandoc.Str(common.stringify(doc.meta.subtitle)) }))
    end
    if #items > 0 then
        blocks:insert(pandoc.BulletList(items))
    end
    return pandoc.Div(blocks, pandoc.Attr("", { "chapter" }))
end

-- "1 exercise", "2 exercises"
local function many(count, word)
    return count .. " " .. word .. (count == 1 and "" or "s")
end

function Div(div)
    if not div.classes:includes("contents") then
        return nil
    end
    local blocks = pandoc.List({})
    for _, chapter in ipairs(common.chapters()) do
        blocks:insert(chapter_blocks(chapter))
    end
    local first = common.chapters()[1]
    blocks:insert(1, pandoc.Para({ pandoc.Str(many(total.chapters, "chapter") .. ", " .. many(total.exercises, "exercise")
        .. ", " .. many(total.points, "point") .. "."), pandoc.Space(),
        first and pandoc.Link({ pandoc.Str("Begin with chapter " .. common.chapter_number(first) .. ".") }, first .. ".html")
        or pandoc.Str("No chapter is written yet.") }))
    return blocks
end

function Meta(meta)
    meta.pagetitle = "Contents"
    return meta
end
