"""Addresses of the webmail. A folder is its id in base64url; a message is VALIDITY.UID below its folder."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from webmail.tokens import FolderConverter, IdConverter, PartConverter
from webmail.views import (
    changes,
    compose,
    contacts,
    download_settings,
    downloads,
    entrance,
    filter_text,
    filters,
    folders,
    hierarchy,
    identities,
    live,
    messages,
    mode,
    notices,
    outbox,
    parity,
    parts,
    redirects,
    removing,
    reserve,
    retention,
    space,
    special,
    tags,
    takeout,
    threads,
    uploads,
    vacation,
)

register_converter(FolderConverter, "folder")
register_converter(IdConverter, "uid")
register_converter(PartConverter, "section")

message_patterns: list[URLPattern | URLResolver] = [
    path("", messages.message_show, name="message"),
    path("ahead/", messages.message_ahead, name="message_ahead"),
    path("headers/", messages.message_headers, name="message_headers"),
    path("source/", messages.message_source, name="message_source"),
    path("print/", messages.message_print, name="message_print"),
    path("message.eml", parts.message_download, name="message_download"),
    path("files.zip", parts.files_download, name="files_download"),
    path("body/<section:number>/", parts.body_frame, name="body_frame"),
    path("part/<section:number>/", parts.part_download, name="part_download"),
    path("receipt/", notices.receipt_answer, name="receipt_answer"),
    path("image/", parts.remote_image, name="remote_image"),
    path("conversation/", threads.conversation, name="conversation"),
    path("in-place/", threads.message_in_place, name="message_in_place"),
    path("thread/", threads.thread_messages, name="thread_messages"),
    path("redirect/", redirects.message_redirect, name="message_redirect"),
]

folder_patterns: list[URLPattern | URLResolver] = [
    path("", folders.message_list, name="folder"),
    path("m/<int:validity>.<uid:uid>/", include(message_patterns)),
    path("rows/", folders.message_rows, name="rows"),
    path("search/", folders.search_on, name="search_on"),
    path("change/", changes.messages_change, name="messages_change"),
    path("menu/", hierarchy.folder_menu, name="folder_menu"),
    path("rename/", hierarchy.folder_rename, name="folder_rename"),
    path("place/", hierarchy.folder_place, name="folder_place"),
    path("delete/", hierarchy.folder_delete, name="folder_delete"),
    path("subscription/", hierarchy.folder_subscribe, name="folder_subscribe"),
    path("read/", hierarchy.folder_read, name="folder_read"),
    path("empty/", hierarchy.folder_empty, name="folder_empty"),
]

compose_patterns: list[URLPattern | URLResolver] = [
    path("", compose.compose, name="compose"),
    path("quote/", compose.compose_quote, name="compose_quote"),
    path("files/", uploads.file_announce, name="file_announce"),
    path("files/from-message/", uploads.file_from_message, name="file_from_message"),
    path("files/<int:upload_id>/", uploads.file_piece, name="file_piece"),
    path("files/<int:upload_id>/image/", uploads.file_image, name="file_image"),
]

contact_patterns: list[URLPattern | URLResolver] = [
    path("", contacts.contacts, name="contacts"),
    path("new/", contacts.contact_edit, name="contact_new"),
    path("<int:contact_id>/", contacts.contact_edit, name="contact"),
    path("<int:contact_id>/delete/", contacts.contact_delete, name="contact_delete"),
    path("groups/new/", contacts.group_edit, name="group_new"),
    path("groups/<int:group_id>/", contacts.group_edit, name="group"),
    path("groups/<int:group_id>/delete/", contacts.group_delete, name="group_delete"),
    path("undo/", contacts.contacts_undo, name="contacts_undo"),
    path("import/", contacts.contacts_import, name="contacts_import"),
    path("contacts.vcf", contacts.contacts_export, name="contacts_export"),
]

download_patterns: list[URLPattern | URLResolver] = [
    path("", downloads.downloads, name="downloads"),
    path("now/", downloads.pull_strip, name="pull_strip"),
    path("settings/", download_settings.download_settings, name="download_settings"),
]

filter_patterns: list[URLPattern | URLResolver] = [
    path("", filters.filters, name="filters"),
    path("new/", filters.filter_edit, name="filter_new"),
    path("<int:number>/", filters.filter_edit, name="filter"),
    path("text/", filter_text.filter_text, name="filter_text"),
]

urlpatterns = [
    path("mail/<int:account_id>/f/<folder:folder_id>/", include(folder_patterns)),  # first: see config/urls.py
    path("", folders.home, name="home"),
    path("mail/add/", download_settings.account_add, name="account_add"),
    path("mail/<int:account_id>/", folders.account_home, name="account"),
    path("mail/<int:account_id>/live/", live.live_absent, name="live"),
    path("mail/<int:account_id>/live/part/", live.live_part, name="live_part"),
    path("mail/<int:account_id>/undo/<str:token>/", changes.change_undo, name="change_undo"),
    path("mail/<int:account_id>/compose/", compose.compose_new, name="compose_new"),
    path("mail/<int:account_id>/compose/<uuid:composing_id>/", include(compose_patterns)),
    path("mail/<int:account_id>/templates/", compose.template_list, name="templates"),
    path("mail/<int:account_id>/people/", compose.people, name="people"),
    path("mail/<int:account_id>/contacts/", include(contact_patterns)),
    path("mail/<int:account_id>/downloads/", include(download_patterns)),
    path("mail/<int:account_id>/filters/", include(filter_patterns)),
    path("mail/<int:account_id>/vacation/", vacation.vacation, name="vacation"),
    path("mail/<int:account_id>/where/", mode.mode, name="mode"),
    path("mail/<int:account_id>/where/figures/", mode.mode_figures, name="mode_figures"),
    path("mail/<int:account_id>/compare/", parity.parity, name="parity"),
    path("mail/<int:account_id>/takeout/", takeout.takeout, name="takeout"),
    path("mail/<int:account_id>/takeout/export/", takeout.takeout_export, name="takeout_export"),
    path("mail/<int:account_id>/takeout/import/", takeout.takeout_import, name="takeout_import"),
    path("mail/<int:account_id>/takeout/change/", takeout.takeout_change, name="takeout_change"),
    path("mail/<int:account_id>/identities/", identities.identities, name="identities"),
    path("mail/<int:account_id>/identities/<int:identity_id>/", identities.identity, name="identity"),
    path("mail/<int:account_id>/remove/", removing.account_remove, name="account_remove"),
    path("mail/<int:account_id>/tags/", tags.tags, name="tags"),
    path("mail/<int:account_id>/tags/<int:tag_id>/", tags.tag_change, name="tag_change"),
    path("mail/<int:account_id>/reserve/", reserve.reserve, name="reserve"),
    path("mail/<int:account_id>/reserve/held/", reserve.reserve_held, name="reserve_held"),
    path("mail/<int:account_id>/space/", space.space, name="space"),
    path("mail/<int:account_id>/space/tidy/", space.space_tidy, name="space_tidy"),
    path("mail/<int:account_id>/space/tidy/<int:clearing_id>/undo/", space.space_tidy_undo, name="space_tidy_undo"),
    path("mail/<int:account_id>/space/archive/", space.space_archive, name="space_archive"),
    path("mail/<int:account_id>/space/delete/", space.space_delete, name="space_delete"),
    path("mail/<int:account_id>/special/", special.special_folders, name="special_folders"),
    path("mail/<int:account_id>/outbox/", outbox.outbox, name="outbox"),
    path("mail/<int:account_id>/outbox/<int:outgoing_id>/cancel/", outbox.outgoing_cancel, name="outgoing_cancel"),
    path("mail/<int:account_id>/outbox/<int:outgoing_id>/", outbox.outgoing_change, name="outgoing_change"),
    path("portal/usage/mailbox/<int:mailbox_id>/reserve/", reserve.mailbox_reserve, name="mailbox_reserve"),
    path("portal/usage/retention/", retention.retention, name="usage_retention"),
    path("portal/usage/retention/sum/", retention.retention_sum, name="usage_retention_sum"),
    path("portal/usage/retention/undo/<str:before>/", retention.retention_undo, name="usage_retention_undo"),
    path("server/", entrance.server_lookup, name="server_lookup"),
    path("mail/<int:account_id>/tree/", folders.folder_tree, name="tree"),
    path("mail/<int:account_id>/folders/new/", hierarchy.folder_new, name="folder_new"),
    path("mail/<int:account_id>/folders/hidden/", hierarchy.folders_hidden, name="folders_hidden"),
    path("mail/<int:account_id>/folders/undo/<str:token>/", hierarchy.hierarchy_undo, name="hierarchy_undo"),
]
