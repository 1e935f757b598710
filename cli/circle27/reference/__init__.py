"""The API's reference for client developers: docs/api.md and web/circle27.d.ts.

Both are put together from the catalogue (names, arguments, rights, comments), docs/api/types.yaml (what comes back),
docs/api/story.yaml (order, words, calls) and docs/api/answers.json (what came back).
"""
