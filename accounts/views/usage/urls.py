"""Addresses of the pages of space."""

from __future__ import annotations

from django.urls import path

from accounts.views.usage import actions, activity, advice, dashboard, export, notices, shares

urlpatterns = [
    path("", dashboard.usage, name="usage"),
    path("shares/", shares.usage_shares, name="usage_shares"),
    path("shares/export.csv", shares.usage_shares_export, name="usage_shares_export"),
    path("export.csv", export.usage_export, name="usage_export"),
    path("quota/change/", actions.quota_change, name="usage_quota"),
    path("quota/undo/<str:before>/", actions.quota_undo, name="usage_quota_undo"),
    path("mailbox/<int:mailbox_id>/propose/", actions.mode_propose, name="usage_propose"),
    path("account/<int:account_id>/activity/", activity.account_activity, name="account_activity"),
    path("account/<int:account_id>/activity/place/", activity.account_place, name="account_place"),
    path("mailbox/<int:mailbox_id>/activity/", activity.mailbox_activity, name="mailbox_activity"),
    path("mailbox/<int:mailbox_id>/advice/", advice.advice, name="usage_advice"),
    path("mailbox/<int:mailbox_id>/advice/undo/<str:before>/", advice.advice_undo, name="usage_advice_undo"),
    path("limits/customer/<int:customer_id>/change/", actions.customer_limit_change, name="usage_customer_limit"),
    path("limits/reseller/<int:reseller_id>/change/", actions.reseller_limit_change, name="usage_reseller_limit"),
    path("summary/change/", actions.summary_change, name="usage_summary"),
    path("alerts/<int:alert_id>/dismiss/", notices.notice_dismiss, name="notice_dismiss"),
    path("limits/change/", actions.limits_change, name="usage_limits"),
]
