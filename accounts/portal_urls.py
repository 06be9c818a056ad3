"""Addresses of the portal, all below /portal/."""

from __future__ import annotations

from django.urls import include, path

from accounts.views import brand
from accounts.views.portal import (
    addresses,
    batches,
    changes,
    customers,
    domains,
    home,
    mailboxes,
    networks,
    people,
    shares,
    states,
    tokens,
)

app_name = "portal"

domain_patterns = [
    path("", domains.mailbox_list, name="domain"),
    path("settings/", domains.domain_settings, name="domain_settings"),
    path("dns/", domains.domain_dns, name="domain_dns"),
    path("open/", domains.domain_open, name="domain_open"),
    path("defaults/", domains.domain_usual, name="domain_usual"),
    path("delete/", domains.domain_delete, name="domain_delete"),
    path("columns/", domains.columns_choose, name="columns_choose"),
    path("selection/", domains.selection, name="selection"),
    path("mailboxes/new/", mailboxes.mailbox_new, name="mailbox_new"),
    path("mailboxes.csv", batches.export, name="export"),
    path("import/", batches.batch_new, name="batch_new"),
    path("addresses/", addresses.addresses, name="addresses"),
    path("addresses/alias/", addresses.alias_new, name="alias_new"),
    path("addresses/group/", addresses.group_new, name="group_new"),
    path("people/", people.domain_people, name="domain_people"),
    path("networks/", networks.domain_networks, name="domain_networks"),
    path("changes/", changes.domain_changes, name="domain_changes"),
]

mailbox_patterns = [
    path("", mailboxes.mailbox_page, name="mailbox"),
    path("forwards/", mailboxes.mailbox_forwards, name="mailbox_forwards"),
    path("password/", mailboxes.mailbox_password, name="mailbox_password"),
    path("password/made/", mailboxes.password_made, name="password_made"),
    path("password/link/", mailboxes.password_link, name="password_link"),
    path("access/", states.mailbox_state, name="mailbox_state"),
    path("rename/", states.mailbox_rename, name="mailbox_rename"),
    path("delete/", states.mailbox_delete, name="mailbox_delete"),
    path("restore/", states.mailbox_restore, name="mailbox_restore"),
    path("purge/", states.mailbox_purge, name="mailbox_purge"),
    path("changes/", changes.mailbox_changes, name="mailbox_changes"),
    path("space/", shares.mailbox_space, name="mailbox_space"),
    path("space/export.csv", shares.mailbox_space_export, name="mailbox_space_export"),
    path("use/<slug:page>/", mailboxes.mailbox_use, name="mailbox_use"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", home.search, name="search"),
    path("changes/", changes.all_changes, name="changes"),
    path("domains/<int:domain_id>/", include(domain_patterns)),
    path("mailboxes/<int:mailbox_id>/", include(mailbox_patterns)),
    path("aliases/<int:alias_id>/delete/", addresses.alias_delete, name="alias_delete"),
    path("groups/<int:group_id>/", addresses.group_edit, name="group"),
    path("groups/<int:group_id>/delete/", addresses.group_delete, name="group_delete"),
    path("lists/<int:batch_id>/", batches.batch_page, name="batch"),
    path("lists/<int:batch_id>/apply/", batches.batch_apply, name="batch_apply"),
    path("lists/<int:batch_id>/passwords.csv", batches.batch_passwords, name="batch_passwords"),
    path("customers/", customers.customer_list, name="customers"),
    path("customers/new/", customers.customer_new, name="customer_new"),
    path("customers/<int:customer_id>/", customers.customer_page, name="customer"),
    path("customers/<int:customer_id>/move/", customers.customer_move, name="customer_move"),
    path("customers/<int:customer_id>/open/", customers.customer_open, name="customer_open"),
    path("customers/<int:customer_id>/delete/", customers.customer_delete, name="customer_delete"),
    path("customers/<int:customer_id>/domains/new/", customers.domain_new, name="domain_new"),
    path("customers/<int:customer_id>/people/", people.customer_people, name="customer_people"),
    path("customers/<int:customer_id>/networks/", networks.customer_networks, name="customer_networks"),
    path("networks/", networks.provider_networks, name="networks"),
    path("networks/<int:network_id>/forget/", networks.network_forget, name="network_forget"),
    path("resellers/", customers.reseller_list, name="resellers"),
    path("resellers/<int:reseller_id>/", customers.reseller_page, name="reseller"),
    path("resellers/<int:reseller_id>/delete/", customers.reseller_delete, name="reseller_delete"),
    path("resellers/<int:reseller_id>/people/", people.reseller_people, name="reseller_people"),
    path("plans/", customers.plan_list, name="plans"),
    path("plans/new/", customers.plan_new, name="plan_new"),
    path("plans/<int:plan_id>/", customers.plan_edit, name="plan"),
    path("plans/<int:plan_id>/delete/", customers.plan_delete, name="plan_delete"),
    path("brand/", brand.brand, name="brand"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:token_id>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("api/", tokens.api_description, name="api"),
    path("people/", people.provider_people, name="people"),
    path("roles/<int:role_id>/withdraw/", people.role_withdraw, name="role_withdraw"),
    path("invitations/<int:invitation_id>/withdraw/", people.invitation_withdraw, name="invitation_withdraw"),
    path("invitations/<int:invitation_id>/send/", people.invitation_send, name="invitation_send"),
    path("invitation/<str:token>/", people.invitation, name="invitation"),
    path("enter/<str:ticket>/", mailboxes.mailbox_enter, name="enter"),
    path("new-password/<str:token>/", mailboxes.new_password, name="new_password"),
]
