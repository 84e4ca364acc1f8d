# Renames models and fields only; their tables keep their names.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("teams", "0001_initial"),
        ("usage", "0015_zero_reports"),
    ]

    operations = [
        migrations.AlterModelTable("ToldThreshold", "usage_toldthreshold"),
        migrations.AlterModelTable("ToldRefusal", "usage_toldrefusal"),
        migrations.AlterModelTable("ToldEpisode", "usage_toldepisode"),
        migrations.RenameModel("ToldThreshold", "ThresholdAlert"),
        migrations.RenameModel("ToldRefusal", "RefusalAlert"),
        migrations.RenameModel("ToldEpisode", "EpisodeAlert"),
        migrations.RenameField("ThresholdAlert", "told_at", "alerted_at"),
        migrations.RenameField("RefusalAlert", "told_at", "alerted_at"),
        migrations.RenameField("EpisodeAlert", "told_at", "alerted_at"),
        migrations.AlterField(
            "ThresholdAlert",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="threshold_alerts", to="teams.team"
            ),
        ),
        migrations.AlterField(
            "RefusalAlert",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="refusal_alerts", to="teams.team"
            ),
        ),
        migrations.AlterField(
            "EpisodeAlert",
            "team",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="episode_alerts", to="teams.team"
            ),
        ),
    ]
