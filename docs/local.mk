# Manual pages and the living design.
dist_man_MANS = docs/hearthctl.1 docs/hearthd.8
dist_doc_DATA = docs/design.md README.md ChangeLog.md
