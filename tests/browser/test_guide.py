"""The guided first minute: from a sample's card on an empty home to its finding, and to its presentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.helpers.browser import screenshot, wait_idle
from tests.helpers.dashboard import StartDashboard

pytestmark = pytest.mark.browser


def test_the_sample_leads_to_its_finding_in_three_steps(
    start_dashboard: StartDashboard, page: Page, tmp_path: Path
) -> None:
    page.goto(start_dashboard(home=tmp_path / "home").url)
    wait_idle(page)
    guide, button = page.locator(".st-key-guide"), page.get_by_role("button", name=re.compile("in 3 steps"))
    expect(button).to_have_count(1)  # only one sample's truth names what its prompts don't
    button.click()
    expect(guide).to_contain_text("1 of 3", timeout=60_000)
    found = re.search(r"construction site is found for (\d\.\d s), and is there for 3\.0 s", guide.inner_text())
    assert found
    guide.get_by_role("button", name="Show it").click()
    expect(page.locator(".now")).to_have_text(re.compile(r"0:(09\.9|10\.0)"))

    guide.get_by_role("button", name="Which word mends it").click()
    expect(guide).to_contain_text("A prompt shipyard would take its seconds")
    claimed = re.search(r"construction site (\d\.\d s) → (\d\.\d s), F1 (0\.\d+) → (\d\.\d+)", guide.inner_text())
    assert claimed
    assert claimed[1] == found[1]
    assert float(claimed[4]) > float(claimed[3])
    page.get_by_role("button", name="Add prompt").click()
    page.keyboard.type("shipyard")  # by hand, as well as by the button
    expect(guide).to_contain_text(f"shipyard took its seconds: construction site {claimed[1]} → {claimed[2]}")
    screenshot(page, "guide", full_page=False)

    guide.get_by_role("button", name="How it looks in Compare").click()
    expect(page).to_have_url(re.compile("/compare"))
    expect(guide).to_contain_text("A says construction site and B shipyard")
    guide.get_by_role("button", name="Present").click()
    answer = page.locator(".label", has_text="construction site").locator(".answer").first
    expect(answer).to_have_text(f"{claimed[1]} → {claimed[2]}")
    page.keyboard.press("Escape")
    guide.get_by_role("button", name="Leave").click()
    expect(guide).to_have_count(0)
